% rebase('layout.tpl', title='Upload a photo – Caption Gallery', sheet='photo')
<section class="sheet">
<h1>Choose the file</h1>
<p>Step 2 of 2. After the upload you see the page of the photo, where its caption appears.</p>
<form method="post" action="{{form.url}}" enctype="multipart/form-data">
% for name, value in form.fields.items():
  <input type="hidden" name="{{name}}" value="{{value}}">
% end
  <label for="file">A photo ({{type_names(limits.media_types.values())}}) of up to {{file_size(limits.max_bytes)}}</label>
  <input id="file" type="file" name="file" required accept="image/*,{{','.join(f'.{ending}' for ending in limits.media_types.values())}}">
  <button class="button primary" type="submit">Upload</button>
</form>
<p>If the storage does not take the file, it answers with a page of codes: go back to this page, and choose another file
or another file type.</p>
<p><a href="/upload">Another file type</a></p>
</section>
