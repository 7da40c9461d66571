% rebase('layout.tpl', title='Share by a link – Caption Gallery', sheets=('collections',))
<section class="page">
<h1>Share {{what}} by a link</h1>
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
<p>Everybody who has the link sees these photos with their captions, alt texts and tags. It shows no location, no original file and nothing else of the gallery.</p>
<form method="post" action="/shared">
  <input type="hidden" name="token" value="{{token}}">
  <input type="hidden" name="album" value="{{album}}">
  <input type="hidden" name="ids" value="{{ids}}">
  <label for="title">Title (optional)</label>
  <input id="title" name="title" maxlength="100" value="{{fields.get('title', '')}}" autocomplete="off">
  <label for="days">Days until the link ends</label>
  <input id="days" name="days" type="number" min="1" max="{{most_days}}" value="{{fields.get('days', days)}}" required>
  <label for="password">Password (optional)</label>
  <input id="password" name="password" type="password" minlength="{{shortest}}" maxlength="256" autocomplete="new-password" aria-describedby="password_hint">
  <p class="hint" id="password_hint">{{shortest}} characters or more. Without it, the link alone is enough.</p>
  <label class="choice"><input type="checkbox" name="download" value="yes"{{' checked' if 'download' in fields else ''}}> <span>Visitors may download the photos</span></label>
  <button class="button primary" type="submit">Create the link</button>
</form>
</section>
