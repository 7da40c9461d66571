% rebase('layout.tpl', title='Upload a photograph – Caption Gallery', sheets=('photo',))
<section class="sheet">
<h1>Choose the file</h1>
<p>Step 2 of 2. Once it is sent you are brought to the photograph’s own page, where its caption appears.</p>
<form method="post" action="{{form.url}}" enctype="multipart/form-data">
% for name, value in form.fields.items():
  <input type="hidden" name="{{name}}" value="{{value}}">
% end
  <label for="file">A {{type_names([limits.media_types[media_type]]) or media_type}} file of up to {{file_size(limits.max_bytes)}}</label>
  <input id="file" type="file" name="file" required accept="{{media_type}}">
  <button class="button primary" type="submit">Upload</button>
</form>
<p><a href="/upload">Another kind of file</a></p>
</section>
