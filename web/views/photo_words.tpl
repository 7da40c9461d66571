<figure class="large">
% if image['display_url']:
  <img alt="{{image['alt']}}" src="{{image['display_url']}}" {{f'width={image["width"]} height={image["height"]}' if image['width'] and image['height'] else ''}}>
% else:
  <p class="none">This photo has no picture yet.</p>
% end
% if image['caption']:
  <figcaption dir="auto">{{image['caption']}}</figcaption>
% end
</figure>
% if image['alt_text']:
<p class="hint">Alt text: <bdi>{{image['alt_text']}}</bdi></p>
% end
% if image['tags']:
<ul class="tags" role="list" aria-label="Tags">
%   for tag in image['tags']:
  <li class="chip" dir="auto">{{tag}}</li>
%   end
</ul>
% end
