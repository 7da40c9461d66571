% rebase('layout.tpl', title='Second factor – Caption Gallery', sheet='accounts')
% trouble_at = get('at')
<section class="sheet account">
<h1>Second factor</h1>
<p><a href="/account">Account</a></p>
% if get('codes'):
<div class="done" role="status">
  <h2>Your recovery codes</h2>
  <p>Each works once in place of a code of the app. Keep them where you find them without your phone: they are not shown again, and earlier ones are void.</p>
  <ul class="codes" role="list">
%   for code in codes:
    <li><code>{{code}}</code></li>
%   end
  </ul>
</div>
% end
% if trouble and not (factor and trouble_at):
<p class="trouble" role="alert">{{trouble}}</p>
% end
% if factor:
<p>On since {{since}} UTC. {{factor.recovery_codes}} recovery codes are left.</p>
% if trouble and trouble_at == 'codes':
<p class="trouble" role="alert">{{trouble}}</p>
% end
<details {{'open' if trouble_at == 'codes' else ''}}>
  <summary>Create new recovery codes</summary>
  <form method="post" action="/account/second-factor/codes">
    <input type="hidden" name="token" value="{{token}}">
% include('own_password.tpl', field='codes_password')
    <button class="button primary" type="submit">Create new codes</button>
  </form>
</details>
% if trouble and trouble_at == 'remove':
<p class="trouble" role="alert">{{trouble}}</p>
% end
<details {{'open' if trouble_at == 'remove' else ''}}>
  <summary>Turn it off</summary>
  <form method="post" action="/account/second-factor/remove">
    <input type="hidden" name="token" value="{{token}}">
% include('own_password.tpl', field='remove_password')
    <label for="code">Code of the app, or a recovery code</label>
    <input id="code" name="code" maxlength="40" autocomplete="one-time-code" spellcheck="false" required>
    <button class="button danger" type="submit">Turn it off</button>
  </form>
</details>
% else:
<p>Scan this with an authenticator app on your phone, or enter the key there.</p>
<div class="qr" role="img" aria-label="QR code of the key below">{{!qr}}</div>
<p>Key: <code class="secret">{{' '.join(secret[i:i + 4] for i in range(0, len(secret), 4))}}</code></p>
<form method="post" action="/account/second-factor">
  <input type="hidden" name="token" value="{{token}}">
  <input type="hidden" name="secret" value="{{secret}}">
% include('own_password.tpl', field='enable_password')
  <label for="code">Code that the app shows</label>
  <input id="code" name="code" maxlength="40" inputmode="numeric" autocomplete="one-time-code" spellcheck="false" required>
  <button class="button primary" type="submit">Turn it on</button>
</form>
% end
</section>
