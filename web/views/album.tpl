% rebase('layout.tpl', title=f"{album['name']} – Caption Gallery", sheet='collections')
% def present(name, other):
%   if other is not None:
    <p class="hint" id="{{name}}_now">Now: <span dir="auto">{{other or '(empty)'}}</span></p>
%   end
% end
% album_path = f"/albums/{album['id']}"
<section class="page">
<p class="back"><a href="/albums">← Albums</a></p>
<h1 dir="auto">{{album['name']}}</h1>
<p class="hint">{{album['photos']}}{{' · ' + album['dates'] if album['dates'] else ''}}{{' · shared by ' + (album['owner'] or 'nobody') if not album['mine'] else ''}}</p>
% if album['description']:
<p class="about" dir="auto">{{album['description']}}</p>
% end
% if done:
<p class="done" role="status">{{done}}</p>
% end
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
% if may_edit and album['may_add']:
<p class="actions"><a class="button primary" href="{{album_path}}/add">Add photos</a>\\
%   if album['mine']:
 <a class="button" href="/shared/new?album={{album['id']}}">Share by a link</a>\\
%   end
</p>
% end
% if tiles:
<p class="hint"><a href="/?album={{album['id']}}">Show your photos of this album by month</a></p>
%   if may_edit and album['may_add']:
<form method="post" action="{{album_path}}/remove{{same_page}}">
  <input type="hidden" name="token" value="{{token}}">
%     include('tiles.tpl', tiles=tiles, folder=f'{album_path}/images', choosing=True)
  <p class="actions"><button class="button" type="submit">Take the chosen photos out of the album</button></p>
</form>
%   else:
%     include('tiles.tpl', tiles=tiles, folder=f'{album_path}/images', choosing=False)
%   end
% else:
<p>No photos are in this album yet.</p>
% end
% include('list_pages.tpl', path=album_path, items='photos')
% if tiles:
<form class="actions" method="post" action="/download">
  <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="album" value="{{album['id']}}">
  <label for="size">Download as zip:</label>
  <select id="size" name="size">
    <option value="original">originals of your photos</option>
    <option value="display">display size, without the camera’s metadata</option>
  </select>
  <label class="choice"><input type="checkbox" name="excel" value="yes"> <span>captions for Excel</span></label>
  <button class="button" type="submit">Download</button>
</form>
% end
% if may_edit and album['mine']:
<details class="panel"{{' open' if trouble else ''}}>
  <summary>Edit and share this album</summary>
  <form method="post" action="{{album_path}}/edit">
    <input type="hidden" name="token" value="{{token}}">
%   for name, field in form.items():
    <input type="hidden" name="shown_{{name}}" value="{{field['now']}}">
%   end
    <label for="name">Name</label>
    <input id="name" name="name" dir="auto" maxlength="100" value="{{form['name']['text']}}" required autocomplete="off" {{'aria-describedby=name_now' if form['name']['other'] is not None else ''}}>
%   present('name', form['name']['other'])
    <label for="description">Description</label>
    <textarea id="description" name="description" dir="auto" rows="3" maxlength="2000" {{'aria-describedby=description_now' if form['description']['other'] is not None else ''}}>{{form['description']['text']}}</textarea>
%   present('description', form['description']['other'])
    <label for="order">Order of the photos</label>
    <select id="order" name="order" {{'aria-describedby=order_now' if form['order']['other'] is not None else ''}}>
%   orders = {'date': 'By date, the oldest first', 'hand': 'By hand'}
%   for order, label in orders.items():
      <option value="{{order}}"{{' selected' if form['order']['text'] == order else ''}}>{{label}}</option>
%   end
    </select>
%   present('order', orders.get(form['order']['other']))
    <button class="button" type="submit">Save</button>
  </form>
%   if me:
  <form method="post" action="{{album_path}}/members">
    <h2>Share with an account</h2>
    <input type="hidden" name="token" value="{{token}}">
    <label for="member">Account name</label>
    <input id="member" name="name" maxlength="{{shared.account_name_length}}" required autocomplete="off" autocapitalize="none" spellcheck="false">
    <label for="may">It may</label>
    <select id="may" name="may">
      <option value="view">view the album</option>
      <option value="add">view it and add photos</option>
    </select>
    <button class="button" type="submit">Share</button>
  </form>
%     if album['members']:
  <ul class="plain" role="list">
%       for member in album['members']:
    <li><span><strong>{{member['name']}}</strong> may {{'view and add photos' if member['may'] == 'add' else 'view'}}</span>
      <form method="post" action="{{album_path}}/members/remove">
        <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="name" value="{{member['name']}}">
        <button class="button small" type="submit">Stop sharing<span class="sr"> with {{member['name']}}</span></button>
      </form></li>
%       end
  </ul>
  <p class="hint">When sharing ends, the photos that the account added are taken out of the album.</p>
%     end
%   end
  <form method="post" action="{{album_path}}/delete">
    <input type="hidden" name="token" value="{{token}}">
    <button class="button" type="submit">Delete the album</button>
    <p class="hint">Its photos stay in the gallery.</p>
  </form>
</details>
% elif may_edit and me and not album['mine']:
<form method="post" action="{{album_path}}/members/remove">
  <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="name" value="{{me}}">
  <button class="button small" type="submit">Leave this album</button>
</form>
% end
</section>
