% rebase('layout.tpl', title='Accounts – Caption Gallery', sheet='accounts')
<section class="sheet account">
<h1>Accounts</h1>
% if get('done'):
<p class="done" role="status">{{done}}</p>
% end
% if get('added'):
<div class="done" role="status">
  <h2>Account {{added.name}} created</h2>
%   if password:
  <p>The password: <code class="secret">{{password}}</code></p>
  <p>Pass it on now: it is not shown again. It can be changed on the account page.</p>
%   end
</div>
% end
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
<section aria-labelledby="add_title">
<h2 id="add_title">Create an account</h2>
<form method="post" action="/accounts">
  <input type="hidden" name="token" value="{{token}}">
  <label for="name">Name</label>
  <input id="name" name="name" maxlength="{{shared.account_name_length}}" value="{{get('name') or ''}}" autocomplete="off" autocapitalize="none" spellcheck="false" required aria-describedby="name_hint">
  <p class="hint" id="name_hint">Letters, digits and . _ @ + -</p>
  <label for="new">Password of the new account</label>
  <input id="new" name="new" type="password" minlength="{{shared.min_password_length}}" maxlength="{{shared.max_password_length}}" autocomplete="new-password" aria-describedby="new_hint">
  <p class="hint" id="new_hint">{{shared.min_password_length}} characters or more. If left empty, a password is generated and shown once.</p>
  <fieldset>
    <legend>Role</legend>
    <label class="choice"><input type="radio" name="role" value="person" checked> <span>Person: uploads photos and sees their own</span></label>
    <label class="choice"><input type="radio" name="role" value="administrator"> <span>Administrator: sees all photos and manages accounts</span></label>
  </fieldset>
  <label for="password">Your own password</label>
  <input id="password" name="password" type="password" maxlength="{{shared.max_password_length}}" autocomplete="current-password" required>
  <button class="button primary" type="submit">Create the account</button>
</form>
</section>
<section aria-labelledby="accounts_title">
<h2 id="accounts_title">All accounts</h2>
<ul class="rows accounts" role="list">
% for row in rows:
  <li>
    <p><a href="/accounts/{{row['id']}}"><strong>{{row['name']}}</strong></a>{{' (you)' if row['id'] == me else ''}}<br>
    <span class="hint">{{'Administrator' if row['administrator'] else 'Person'}}, {{row['photos']}}, {{row['size']}} of originals,{{' ' + row['spent'] + ' for descriptions this month,' if row['spent'] else ''}} since <time datetime="{{row['since_machine']}}">{{row['since']}}</time> UTC</span></p>
  </li>
% end
</ul>
</section>
</section>
