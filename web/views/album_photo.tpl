% rebase('layout.tpl', title=f"{image['caption'] or image['name']} – Caption Gallery", sheet='collections')
% album_path = f"/albums/{album['id']}"
<article class="page one">
<p class="back"><a href="{{album_path}}">← <bdi>{{album['name']}}</bdi></a> <span class="hint">{{place}}</span></p>
<h1 class="sr">Photo {{place}} of <bdi>{{album['name']}}</bdi></h1>
% include('photo_words.tpl', image=image)
% include('photo_steps.tpl', previous=previous, following=following, folder=f'{album_path}/images')
% if seen:
<p><a href="/images/{{image['id']}}">Details and changes</a></p>
% end
% if album['mine'] and not trouble:
<form class="actions" method="post" action="{{album_path}}/edit">
  <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="cover" value="{{image['id']}}">
  <button class="button small" type="submit">Use as the cover</button>
</form>
%   if album['order'] == 'hand':
<form class="actions" method="post" action="{{album_path}}/move">
  <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="photo" value="{{image['id']}}">
%     if previous:
  <button class="button small" type="submit" name="before" value="{{previous}}">Move before the previous photo</button>
%     end
  <button class="button small" type="submit" name="before" value="">Move to the end</button>
</form>
%   end
% end
</article>
