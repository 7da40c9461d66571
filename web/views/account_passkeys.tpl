<section aria-labelledby="passkeys_title">
<h2 id="passkeys_title">Passkeys</h2>
% if passkeys:
<p>{{', '.join(passkey.label for passkey in passkeys)}}</p>
% else:
<p class="hint">A passkey signs in without name, password and code, by your finger, face or a security key. It cannot be guessed, and works on no other site.</p>
% end
<p><a class="button" href="/account/passkeys">{{'Add or remove passkeys' if passkeys else 'Add a passkey'}}</a></p>
</section>
