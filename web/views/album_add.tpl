% rebase('layout.tpl', title=f"Add photos to {album['name']} – Caption Gallery", sheet='collections')
% album_path = f"/albums/{album['id']}"
<section class="page">
<p class="back"><a href="{{album_path}}">← <bdi>{{album['name']}}</bdi></a></p>
<h1>Add photos to <bdi>{{album['name']}}</bdi></h1>
<form class="find" method="get" action="{{album_path}}/add">
  <label for="find">Search your photos</label>
  <div class="line"><input id="find" name="q" dir="auto" type="search" maxlength="{{shared.search_length}}" value="{{sought}}"><button class="button" type="submit">Search</button></div>
</form>
% if tiles:
<form method="post" action="{{album_path}}/add">
  <input type="hidden" name="token" value="{{token}}">
%   include('tiles.tpl', tiles=tiles, folder='/images', choosing=True)
  <p class="actions"><button class="button primary" type="submit">Add the chosen photos</button></p>
</form>
% elif following:
<p>None of the photos on this page can be added. See the next page.</p>
% else:
<p>{{f'No photo of yours has “{sought}”. Try fewer or other words.' if sought else 'You have no photos yet.'}}</p>
% end
% if following:
<p class="actions"><a class="button" href="{{album_path}}/add?cursor={{quoted(following)}}{{f'&q={quoted(sought)}' if sought else ''}}">More photos</a></p>
% end
</section>
