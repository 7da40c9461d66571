<section aria-labelledby="password_title">
<h2 id="password_title">Password</h2>
<p class="hint">Set on {{since}} UTC. Changing it signs out every other browser.</p>
% if trouble and trouble_at == 'password':
<p class="trouble" role="alert">{{trouble}}</p>
% end
<details {{'open' if trouble_at == 'password' else ''}}>
  <summary>Change the password</summary>
  <form method="post" action="/account/password">
    <input type="hidden" name="token" value="{{token}}">
    <input type="text" name="username" value="{{account.name}}" autocomplete="username" hidden>
    <label for="old">Current password</label>
    <input id="old" name="old" type="password" maxlength="{{shared.max_password_length}}" autocomplete="current-password" required>
    <label for="new">New password</label>
    <input id="new" name="new" type="password" minlength="{{shared.min_password_length}}" maxlength="{{shared.max_password_length}}" autocomplete="new-password" required aria-describedby="new_hint">
    <p class="hint" id="new_hint">{{shared.min_password_length}} characters or more; a few words make a good one.</p>
    <label for="again">Repeat the new password</label>
    <input id="again" name="again" type="password" maxlength="{{shared.max_password_length}}" autocomplete="new-password" required>
%   include('keep_keys.tpl')
    <button class="button primary" type="submit">Change the password</button>
  </form>
</details>
</section>
