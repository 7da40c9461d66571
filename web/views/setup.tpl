% rebase('layout.tpl', title='Set up – Caption Gallery', sheet='accounts')
<section class="sheet">
<h1>Create the first account</h1>
<p>It is an administrator: it sees all photos and manages accounts.</p>
% if trouble:
<p class="trouble" role="alert" id="trouble">{{trouble}}</p>
% end
<form method="post" action="/setup">
  <input type="hidden" name="token" value="{{token}}">
  <label for="setup_token">Token</label>
  <input id="setup_token" name="setup_token" maxlength="100" value="{{get('setup_token') or ''}}" autocomplete="off" autocapitalize="none" spellcheck="false" required aria-describedby="token_hint{{' trouble' if trouble else ''}}">
  <p class="hint" id="token_hint">The gallery printed it at start, in the terminal or in its log.</p>
  <label for="name">Name</label>
  <input id="name" name="name" maxlength="{{shared.account_name_length}}" value="{{get('name') or ''}}" autocomplete="username" autocapitalize="none" spellcheck="false" required aria-describedby="name_hint">
  <p class="hint" id="name_hint">Letters, digits and . _ @ + -</p>
  <label for="password">Password</label>
  <input id="password" name="password" type="password" minlength="{{shared.min_password_length}}" maxlength="{{shared.max_password_length}}" autocomplete="new-password" required aria-describedby="password_hint">
  <p class="hint" id="password_hint">{{shared.min_password_length}} characters or more; a few words make a good one.</p>
  <button class="button primary" type="submit">Create the account</button>
</form>
</section>
