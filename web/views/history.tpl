% rebase('layout.tpl', title=f"History of {image['caption'] or image['name']} – Caption Gallery", sheet='accounts')
<section class="sheet account">
<p class="back"><a href="/images/{{image['id']}}">← Back to the photo</a></p>
<h1>History of the text</h1>
% if not versions:
<p>There is no text yet.</p>
% end
<ul class="rows" role="list">
% for version in versions:
  <li>
    <p><strong>{{version['field']}}</strong>{{' · ' + version['note'] if version['note'] else ''}}<br>
    <bdi>{{version['text']}}</bdi><br>
    <span class="hint">{{version['by']}}, <time datetime="{{version['at_machine']}}">{{version['at']}}</time> UTC</span></p>
%   if version['restorable']:
    <form method="post" action="/images/{{image['id']}}/history/{{version['id']}}/restore">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button small" type="submit">Use this text<span class="sr">: {{version['field']}}, <bdi>{{version['text']}}</bdi></span></button>
    </form>
%   end
  </li>
% end
</ul>
</section>
