<figure class="large">
% if image['display_url']:
  <img alt="{{image['alt']}}" lang="{{image['alt_language'] or ''}}" src="{{image['display_url']}}" {{f'width={image["width"]} height={image["height"]}' if image['width'] and image['height'] else ''}}>
% else:
  <p class="none">This photo has no picture yet.</p>
% end
% if image['caption']:
  <figcaption dir="auto" lang="{{image['caption_language'] or ''}}">{{image['caption']}}</figcaption>
% end
</figure>
% if image['alt_text']:
<p class="hint">Alt text: <bdi lang="{{image['alt_language'] or ''}}">{{image['alt_text']}}</bdi></p>
% end
% if image['tags']:
<ul class="tags" role="list" aria-label="Tags">
%   for tag in image['tags']:
  <li class="chip" dir="auto" lang="{{image['tags_language'] or ''}}">{{tag}}</li>
%   end
</ul>
% end
