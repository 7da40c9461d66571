<section aria-labelledby="sessions_title">
<h2 id="sessions_title">Where you are signed in</h2>
<ul class="rows" role="list">
% for session in sessions:
  <li>
    <p><strong>{{session['browser']}}</strong>{{' – this browser' if session['here'] else ''}}<br>
    <span class="hint">{{session['address']}}, last used <time datetime="{{session['seen_machine']}}">{{session['seen']}}</time> UTC</span></p>
%   if not session['here']:
    <form method="post" action="/account/sessions/{{session['id']}}/end">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button small" type="submit">Sign out<span class="sr"> {{session['browser']}}, {{session['address']}}, last used {{session['seen']}}</span></button>
    </form>
%   end
  </li>
% end
</ul>
<form method="post" action="/account/sessions/end">
  <input type="hidden" name="token" value="{{token}}">
%   include('keep_keys.tpl')
  <button class="button" type="submit">Sign out everywhere</button>
</form>
</section>
