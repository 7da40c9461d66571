% url, dense = image['thumbnail_url'], image['thumbnail_2x_url']
% removable = image['status'] in ('rejected', 'failed', 'awaiting') and not image['read_only']
<li class="card" data-id="{{image['id']}}" data-status="{{image['status']}}">
  <a class="frame" href="/images/{{image['id']}}">
% if url:
    <img class="thumb" alt="{{image['alt']}}" lang="{{image['alt_language'] or ''}}" src="{{url}}" srcset="{{url}} {{shared.thumbnail_sides[0]}}w, {{dense or url}} {{shared.thumbnail_sides[1]}}w" sizes="(max-width: 40rem) 46vw, 15rem" width="{{shared.thumbnail_sides[0]}}" height="{{shared.thumbnail_sides[0]}}" loading="lazy" decoding="async">
% else:
    <img class="thumb" alt="{{image['alt']}}" lang="{{image['alt_language'] or ''}}" width="{{shared.thumbnail_sides[0]}}" height="{{shared.thumbnail_sides[0]}}" loading="lazy" decoding="async">
% end
  </a>
% if image['status'] != 'done':
  <p class="chip">{{image['status_text']}}</p>
% end
  <div class="legend">
    <p class="{{'caption' if image['caption'] else 'caption name'}}" dir="auto" lang="{{image['caption_language'] or ''}}">{{image['caption'] or image['name']}}</p>
% if image['source_label']:
    <p class="source">{{image['source_label']}}</p>
% end
% if image['message']:
    <p class="why">{{image['message']}}</p>
% end
% if removable or (image['retryable'] and not image['read_only']):
    <div class="actions">
%   if image['retryable'] and not image['read_only']:
      <div class="retry"><button class="button small" type="submit" form="act" formaction="/images/{{image['id']}}/retry">Try again<span class="sr"> with <bdi>{{image['name']}}</bdi></span></button></div>
%   end
%   if removable:
      <div class="remove"><button class="button small quiet" type="submit" form="act" formaction="/images/{{image['id']}}/delete">Remove<span class="sr"> <bdi>{{image['name']}}</bdi></span></button></div>
%   end
    </div>
% end
  </div>
</li>
