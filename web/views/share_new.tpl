% rebase('layout.tpl', title='Share by a link – Caption Gallery', sheet='collections')
<section class="page">
<h1>Share {{what}} by a link</h1>
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
% if left_out:
<p class="hint">Photos are left out: {{left_out}}</p>
% end
<p>Everybody who has the link sees these photos with their captions, alt texts and tags. It shows no location and nothing else of the gallery.</p>
<form method="post" action="/shared">
  <input type="hidden" name="token" value="{{token}}">
  <input type="hidden" name="album" value="{{album}}">
  <input type="hidden" name="ids" value="{{ids}}">
  <input type="hidden" name="selection" value="{{selection}}">
  <input type="hidden" name="except" value="{{excluded}}">
  <input type="hidden" name="shown" value="{{shown}}">
  <label for="title">Title (optional)</label>
  <input id="title" name="title" dir="auto" maxlength="100" value="{{fields.get('title', '')}}" autocomplete="off">
  <label for="days">Days until the link ends</label>
  <input id="days" name="days" type="number" min="1" max="{{most_days}}" value="{{fields.get('days', days)}}" required>
  <label for="password">Password (optional)</label>
  <input id="password" name="password" type="password" minlength="{{shortest}}" maxlength="256" autocomplete="new-password" aria-describedby="password_hint">
  <p class="hint" id="password_hint">{{shortest}} characters or more. Without it, the link alone is enough.</p>
  <label for="files">Visitors may download</label>
  <select id="files" name="files" aria-describedby="files_hint">
% for value, text in files:
    <option value="{{value}}"{{' selected' if fields.get('files') == value else ''}}>{{text}}</option>
% end
  </select>
  <p class="hint" id="files_hint">Files as uploaded may say where and with which camera a photo was taken. Only JPEG, PNG and WebP can be sent without that; of other files visitors get the display size.</p>
  <button class="button primary" type="submit">Create the link</button>
</form>
</section>
