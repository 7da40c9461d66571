<section aria-labelledby="second_factor_title">
<h2 id="second_factor_title">Second factor</h2>
% if second_factor:
<p>On: signing in asks for a code of your authenticator app. {{second_factor.recovery_codes}} recovery codes are left.</p>
<p><a class="button" href="/account/second-factor">Recovery codes, or turn it off</a></p>
% else:
<p class="hint">Off: your password is enough to sign in. With an authenticator app, a stolen password is not.</p>
<p><a class="button" href="/account/second-factor">Set up an authenticator app</a></p>
% end
</section>
