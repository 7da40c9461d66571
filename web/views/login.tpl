% rebase('layout.tpl', title='Sign in – Caption Gallery', sheet='accounts', module='passkeys' if passkeys else None)
<section class="sheet">
<h1>Sign in</h1>
% if trouble:
<p class="trouble" role="alert" id="trouble">{{trouble}}</p>
% end
<form method="post" action="/login">
  <input type="hidden" name="token" value="{{token}}">
  <input type="hidden" name="next" value="{{onward}}">
  <label for="name">Name</label>
  <input id="name" name="name" maxlength="64" value="{{get('name') or ''}}" autocomplete="username" autocapitalize="none" spellcheck="false" required {{'aria-describedby=trouble' if trouble else 'autofocus'}}>
  <label for="password">Password</label>
  <input id="password" name="password" type="password" maxlength="{{shared.max_password_length}}" autocomplete="current-password" required>
  <button class="button primary" type="submit">Sign in</button>
</form>
% if passkeys:
<form method="post" action="/login/passkey" data-passkey="get" data-options="/login/passkey/options" hidden>
  <input type="hidden" name="token" value="{{token}}">
  <input type="hidden" name="next" value="{{onward}}">
  <input type="hidden" name="credential">
  <button class="button" type="submit">Sign in with a passkey</button>
  <p class="trouble" role="alert" hidden></p>
</form>
% end
<p class="fine">Ask an administrator if you need an account or forgot your password.</p>
</section>
