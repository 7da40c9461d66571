% rebase('layout.tpl', title='Trash – Caption Gallery', sheet='trash')
<section class="page">
<h1>Trash</h1>
% if done:
<p class="done" role="status">{{done}}</p>
% end
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
% if images:
<p>Photos stay here for 30 days; then they are deleted for good.</p>
<ul class="trash" role="list">
%   for image in images:
  <li>
%     if image['thumbnail_url']:
    <img alt="{{image['alt']}}" lang="{{image['alt_language'] or ''}}" src="{{image['thumbnail_url']}}" width="200" height="200" loading="lazy" decoding="async">
%     end
    <p><strong dir="auto">{{image['name']}}</strong><br><span class="hint">{{image['days_left']}} {{'day' if image['days_left'] == 1 else 'days'}} left</span></p>
    <form method="post" action="/trash/restore{{same_page}}">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button" type="submit" name="id" value="{{image['id']}}">Restore<span class="sr"> <bdi>{{image['name']}}</bdi></span></button>
    </form>
    <form method="post" action="/trash/delete{{same_page}}">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button" type="submit" name="id" value="{{image['id']}}">Delete for good<span class="sr"> <bdi>{{image['name']}}</bdi></span></button>
    </form>
  </li>
%   end
</ul>
%   include('list_pages.tpl', path='/trash', items='photos')
<form class="panel" method="post" action="/trash/restore">
  <h2>Restore all</h2>
  <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="contents" value="{{contents}}">
  <button class="button" type="submit" name="all" value="1">Restore {{'the photo' if count == 1 else f'all {count} photos'}}</button>
</form>
<form class="panel" method="post" action="/trash/delete">
  <h2>Empty the trash</h2>
  <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="contents" value="{{contents}}">
%   if count >= confirmed_from:
  <label for="confirm">Type {{count}}, the number of photos</label>
  <input id="confirm" name="confirm" inputmode="numeric" autocomplete="off" required>
%   end
  <button class="button" type="submit" name="all" value="1">Delete {{'the photo' if count == 1 else f'all {count} photos'}} for good</button>
</form>
% else:
<p>The trash is empty. Photos that you delete stay here for 30 days.</p>
<p><a class="button" href="/">Back to the photos</a></p>
% end
</section>
