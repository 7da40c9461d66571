% rebase('layout.tpl', title='Upload a photo – Caption Gallery', sheets=('photo',))
<section class="sheet">
<h1>Choose the file</h1>
<p>Step 2 of 2. After the upload you see the page of the photo, where its caption appears.</p>
<form method="post" action="{{form.url}}" enctype="multipart/form-data">
% for name, value in form.fields.items():
  <input type="hidden" name="{{name}}" value="{{value}}">
% end
  <label for="file">A {{type_names([limits.media_types[media_type]]) or media_type}} file of up to {{file_size(limits.max_bytes)}}</label>
  <input id="file" type="file" name="file" required accept="{{media_type}}">
  <button class="button primary" type="submit">Upload</button>
</form>
<p><a href="/upload">Another file type</a></p>
</section>
