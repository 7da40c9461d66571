% rebase('layout.tpl', title='People – Caption Gallery', sheets=('photo', 'people'))
<section class="sheet account">
<h1>People</h1>
% if get('done'):
<p class="done" role="status">{{done}}</p>
% end
% if get('added') or get('reset'):
<div class="done" role="status">
%   if get('added'):
  <h2>{{added.name}} has an account</h2>
%   else:
  <h2>{{reset.name}} has another password</h2>
%   end
%   if password:
  <p>The password: <code class="secret">{{password}}</code></p>
  <p>Pass it on now: it is not shown again. They can change it on their account’s page.</p>
%   end
</div>
% end
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
<section aria-labelledby="add_title">
<h2 id="add_title">Make an account</h2>
<form method="post" action="/accounts">
  <input type="hidden" name="token" value="{{token}}">
  <label for="name">Name</label>
  <input id="name" name="name" maxlength="63" value="{{get('name') or ''}}" autocomplete="off" autocapitalize="none" spellcheck="false" required aria-describedby="name_hint">
  <p class="hint" id="name_hint">Letters, digits and . _ @ + -</p>
  <label for="password">Password</label>
  <input id="password" name="password" type="password" minlength="{{shortest}}" maxlength="256" autocomplete="new-password" aria-describedby="password_hint">
  <p class="hint" id="password_hint">{{shortest}} characters or more. Left empty, one is made up and shown once.</p>
  <fieldset>
    <legend>Role</legend>
    <label class="choice"><input type="radio" name="role" value="person" checked> <span>Person: uploads and sees their own photographs</span></label>
    <label class="choice"><input type="radio" name="role" value="administrator"> <span>Administrator: sees everything, makes accounts</span></label>
  </fieldset>
  <button class="button primary" type="submit">Make the account</button>
</form>
</section>
<section aria-labelledby="people_title">
<h2 id="people_title">Who there is</h2>
<ul class="rows people" role="list">
% for person in people:
  <li>
    <p><strong>{{person['name']}}</strong>{{' (you)' if person['me'] else ''}}<br>
    <span class="hint">{{'Administrator' if person['administrator'] else 'Person'}}, {{person['photographs']}}, since <time datetime="{{person['since_machine']}}">{{person['since']}}</time> UTC</span></p>
    <details>
      <summary>Change<span class="sr"> {{person['name']}}</span></summary>
      <div class="actions">
        <form method="post" action="/accounts/{{person['id']}}/role">
          <input type="hidden" name="token" value="{{token}}">
          <input type="hidden" name="role" value="{{'person' if person['administrator'] else 'administrator'}}">
          <button class="button small" type="submit">{{'Make a person' if person['administrator'] else 'Make an administrator'}}<span class="sr"> of {{person['name']}}</span></button>
        </form>
        <form method="post" action="/accounts/{{person['id']}}/password">
          <input type="hidden" name="token" value="{{token}}">
          <button class="button small" type="submit">New password<span class="sr"> for {{person['name']}}</span></button>
        </form>
        <form method="post" action="/accounts/{{person['id']}}/sign-out">
          <input type="hidden" name="token" value="{{token}}">
          <button class="button small" type="submit">Sign out everywhere<span class="sr">: {{person['name']}}</span></button>
        </form>
        <form method="post" action="/accounts/{{person['id']}}/delete">
          <input type="hidden" name="token" value="{{token}}">
          <button class="button small danger" type="submit">Delete with {{person['photographs']}}<span class="sr">: {{person['name']}}</span></button>
        </form>
      </div>
    </details>
  </li>
% end
</ul>
</section>
</section>
