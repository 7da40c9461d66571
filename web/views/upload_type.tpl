% rebase('layout.tpl', title='Upload a photo – Caption Gallery', sheet='photo')
<section class="sheet">
<h1>Upload a photo</h1>
<p>Step 1 of 2. Up to {{file_size(limits.max_bytes)}}, {{max_megapixels}} megapixels and {{max_side}} pixels a side. The file is sent directly to the storage.</p>
<form method="post" action="/upload">
  <input type="hidden" name="token" value="{{token}}">
  <fieldset>
    <legend>File type</legend>
% for number, (media_type, ending) in enumerate(limits.media_types.items()):
    <label class="choice"><input type="radio" name="type" value="{{media_type}}" required {{'checked' if number == 0 else ''}}> {{type_names([ending]) or ending.upper()}} <span class="hint">.{{ending}}{{', .jpeg' if ending == 'jpg' else ''}}</span></label>
% end
  </fieldset>
  <label for="name">Name (optional)</label>
  <input id="name" name="name" maxlength="255" autocomplete="off">
  <label for="hint">What the photo is about (optional)</label>
  <input id="hint" name="hint" maxlength="500" autocomplete="off" aria-describedby="hint_hint">
  <p class="hint" id="hint_hint">Helps the model that describes it: “Anna’s wedding in Split”. Faces are never identified.</p>
  <button class="button primary" type="submit">Continue</button>
</form>
</section>
