% rebase('layout.tpl', title=f"Account {row['name']} – Caption Gallery", sheet='accounts')
<section class="sheet account">
<h1>{{row['name']}}{{' (you)' if row['id'] == me else ''}}</h1>
<p class="hint">{{'Administrator' if row['administrator'] else 'Person'}}, {{row['photos']}}, since <time datetime="{{row['since_machine']}}">{{row['since']}}</time> UTC. <a href="/accounts">All accounts</a></p>
% if get('done'):
<p class="done" role="status">{{done}}</p>
% end
% if get('password'):
<div class="done" role="status">
  <h2>Password of {{row['name']}} reset</h2>
  <p>The password: <code class="secret">{{password}}</code></p>
  <p>Pass it on now: it is not shown again. It can be changed on the account page.</p>
</div>
% end
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
<section aria-labelledby="keys_title">
<h2 id="keys_title">API keys</h2>
% if keys:
%   include('key_rows.tpl', owner_path=f"/accounts/{row['id']}")
% else:
<p class="hint">This account has no API keys.</p>
% end
% if get('passkeys'):
<p class="hint">{{passkeys}} {{'passkey' if passkeys == 1 else 'passkeys'}}; the button below revokes them too.</p>
% end
<form method="post" action="/accounts/{{row['id']}}/sign-out">
  <input type="hidden" name="token" value="{{token}}">
  <button class="button" type="submit">Sign out everywhere and revoke all keys</button>
</form>
</section>
<section aria-labelledby="quota_title">
<h2 id="quota_title">Quota</h2>
% include('quota_rows.tpl')
<details>
  <summary>Change the quota</summary>
  <form method="post" action="/accounts/{{row['id']}}/quota">
    <input type="hidden" name="token" value="{{token}}">
    <p class="hint">An empty field stands for the gallery’s default.</p>
    <label for="quota_images">Photos</label>
    <input id="quota_images" name="images" inputmode="numeric" maxlength="9" autocomplete="off">
    <label for="quota_gibibytes">Size of the originals in GiB</label>
    <input id="quota_gibibytes" name="gibibytes" inputmode="numeric" maxlength="9" autocomplete="off">
    <label for="quota_uploads">Uploads in progress</label>
    <input id="quota_uploads" name="uploads" inputmode="numeric" maxlength="9" autocomplete="off">
    <label for="quota_spend_day">Descriptions a day, in US dollars</label>
    <input id="quota_spend_day" name="spend_day" inputmode="decimal" maxlength="12" autocomplete="off">
    <label for="quota_spend_month">Descriptions a month, in US dollars</label>
    <input id="quota_spend_month" name="spend_month" inputmode="decimal" maxlength="12" autocomplete="off">
% include('own_password.tpl', field='quota_password')
    <button class="button" type="submit">Change the quota</button>
  </form>
</details>
</section>
<section aria-labelledby="change_title">
<h2 id="change_title">Change the account</h2>
<p class="hint">Your own password confirms each of these changes.</p>
<details>
  <summary>{{'Make a person' if row['administrator'] else 'Make an administrator'}}</summary>
  <form method="post" action="/accounts/{{row['id']}}/role">
    <input type="hidden" name="token" value="{{token}}">
    <input type="hidden" name="role" value="{{'person' if row['administrator'] else 'administrator'}}">
% if row['administrator']:
    <p class="hint">Signs the account out everywhere and revokes its API keys.</p>
% end
% include('own_password.tpl', field='role_password')
    <button class="button" type="submit">{{'Make a person' if row['administrator'] else 'Make an administrator'}}</button>
  </form>
</details>
<details>
  <summary>Reset the password</summary>
  <form method="post" action="/accounts/{{row['id']}}/password">
    <input type="hidden" name="token" value="{{token}}">
    <p class="hint">A new password is generated and shown once. The account is signed out everywhere, and its API keys are revoked.</p>
% include('own_password.tpl', field='reset_password')
    <button class="button" type="submit">Reset the password</button>
  </form>
</details>
% if get('second_factor'):
<details>
  <summary>Remove the second factor</summary>
  <form method="post" action="/accounts/{{row['id']}}/second-factor">
    <input type="hidden" name="token" value="{{token}}">
    <p class="hint">For an owner who lost the phone and the recovery codes. Make sure that the owner asks for this.</p>
% include('own_password.tpl', field='second_factor_password')
    <button class="button" type="submit">Remove the second factor</button>
  </form>
</details>
% end
<details>
  <summary>Delete the account</summary>
  <form method="post" action="/accounts/{{row['id']}}/delete">
    <input type="hidden" name="token" value="{{token}}">
% include('own_password.tpl', field='delete_password')
    <button class="button danger" type="submit">Delete with {{row['photos']}}</button>
  </form>
</details>
</section>
</section>
