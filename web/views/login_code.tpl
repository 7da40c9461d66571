% rebase('layout.tpl', title='Sign in – Caption Gallery', sheet='accounts')
<section class="sheet">
<h1>Enter a code</h1>
% if trouble:
<p class="trouble" role="alert" id="trouble">{{trouble}}</p>
% end
<form method="post" action="/login/code">
  <input type="hidden" name="token" value="{{token}}">
  <input type="hidden" name="next" value="{{onward}}">
  <label for="code">Code of your authenticator app, or a recovery code</label>
  <input id="code" name="code" maxlength="40" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" required {{'aria-describedby=trouble' if trouble else 'autofocus'}}>
  <button class="button primary" type="submit">Sign in</button>
</form>
<p class="fine">An administrator can remove the second factor if you lost the app and the recovery codes. <a href="/login">Start again</a></p>
</section>
