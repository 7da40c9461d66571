% rebase('visitor_layout.tpl', title='Password needed')
<section class="page">
<h1>This link needs a password</h1>
<p>The person who sent you the link knows it.</p>
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
<form method="post">
  <input type="hidden" name="token" value="{{token}}">
  <label for="password">Password of the link</label>
  <input id="password" name="password" type="password" maxlength="256" autocomplete="off" required autofocus>
  <button class="button primary" type="submit">Show the photos</button>
</form>
</section>
