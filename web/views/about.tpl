% rebase('layout.tpl', title='About – Caption Gallery', sheet='photo')
<section class="sheet">
<h1>About this gallery</h1>
<p>Photos are described by {{describer}}. Release {{release}}.</p>
<p>Programs use the same <a href="/api/v1/openapi.yaml">API</a> as this page. Files: {{type_names(limits.media_types.values())}}, up to {{file_size(limits.max_bytes)}}, {{max_megapixels}} megapixels and {{max_side}} pixels a side each.</p>
</section>
