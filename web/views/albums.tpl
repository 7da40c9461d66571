% rebase('layout.tpl', title='Albums – Caption Gallery', sheet='collections')
<section class="page">
<h1>Albums</h1>
% if done:
<p class="done" role="status">{{done}}</p>
% end
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
% if albums:
<ul class="albums" role="list">
%   for album in albums:
  <li>
    <a class="album" href="/albums/{{album['id']}}">
%     if album['cover_url']:
      <img class="cover" alt="" src="{{album['cover_url']}}" width="400" height="300" loading="lazy" decoding="async">
%     else:
      <span class="cover"></span>
%     end
      <strong dir="auto">{{album['name']}}</strong>
    </a>
    <p class="hint">{{album['photos']}}{{' · ' + album['dates'] if album['dates'] else ''}}{{' · shared by ' + (album['owner'] or 'nobody') if not album['mine'] else ''}}</p>
  </li>
%   end
</ul>
% elif first:
<p>There are no albums yet. An album collects photos under a name; a photo can be in several albums.</p>
% end
% if following is not None or not first:
<p class="hint">{{'This page does not have all albums.' if first else 'This page has more albums.'}}</p>
% end
% include('list_pages.tpl', path='/albums', items='albums')
% if may_create:
<form class="panel" method="post" action="/albums">
  <h2>New album</h2>
  <input type="hidden" name="token" value="{{token}}">
  <label for="name">Name</label>
  <input id="name" name="name" dir="auto" maxlength="100" value="{{fields.get('name', '')}}" required autocomplete="off">
  <label for="description">Description (optional)</label>
  <textarea id="description" name="description" dir="auto" rows="3" maxlength="2000">{{fields.get('description', '')}}</textarea>
  <button class="button primary" type="submit">Create the album</button>
</form>
% end
</section>
