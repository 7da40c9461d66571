% rebase('layout.tpl', title='Passkeys – Caption Gallery', sheet='accounts', module='passkeys')
<section class="sheet account">
<h1>Passkeys</h1>
<p><a href="/account">Account</a></p>
% if get('done'):
<p class="done" role="status">{{done}}</p>
% end
% if rows:
<ul class="rows" role="list">
%   for row in rows:
  <li>
    <p><strong>{{row['label']}}</strong><br>
    <span class="hint">Added on {{row['created']}} UTC, {{'last used ' + row['used'] + ' UTC' if row['used'] else 'never used'}}</span></p>
    <form method="post" action="/account/passkeys/{{row['id']}}/remove">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button small" type="submit">Remove<span class="sr"> the passkey {{row['label']}}</span></button>
    </form>
  </li>
%   end
</ul>
% end
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
% if unusable:
<p class="trouble" role="alert">{{unusable}}</p>
% else:
<section aria-labelledby="add_title">
<h2 id="add_title">Add a passkey</h2>
<p class="hint">It works at {{party.id}} alone.</p>
<noscript><p class="trouble">Passkeys need JavaScript.</p></noscript>
<p class="trouble" id="unsupported" hidden>This browser does not support passkeys.</p>
<form method="post" action="/account/passkeys" data-passkey="create" data-options="/account/passkeys/options" hidden>
  <input type="hidden" name="token" value="{{token}}">
  <input type="hidden" name="credential">
  <label for="label">Name, for example of the device</label>
  <input id="label" name="label" maxlength="80" value="{{get('label') or ''}}" autocomplete="off" required>
% include('own_password.tpl', field='passkey_password')
  <button class="button primary" type="submit">Add the passkey</button>
  <p class="trouble" role="alert" hidden></p>
</form>
</section>
% end
</section>
