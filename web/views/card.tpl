% url, dense = image['thumbnail_url'], image['thumbnail_2x_url']
<li class="card" data-id="{{image['id']}}" data-status="{{image['status']}}" data-settled="{{'yes' if image['settled'] else 'no'}}">
  <a class="frame" href="/images/{{image['id']}}">
    <img class="blur" alt="" {{'' if image['placeholder'] else 'hidden'}} src="{{image['placeholder'] or blank_pixel}}">
% if url:
    <img class="thumb" alt="{{image['alt']}}" lang="{{image['alt_language'] or ''}}" src="{{url}}" srcset="{{url}} {{shared.thumbnail_sides[0]}}w, {{dense or url}} {{shared.thumbnail_sides[1]}}w" sizes="(max-width: 40rem) 46vw, 15rem" width="{{shared.thumbnail_sides[0]}}" height="{{shared.thumbnail_sides[0]}}" loading="lazy" decoding="async">
% else:
    <img class="thumb" alt="{{image['alt']}}" lang="{{image['alt_language'] or ''}}" width="{{shared.thumbnail_sides[0]}}" height="{{shared.thumbnail_sides[0]}}" loading="lazy" decoding="async">
% end
  </a>
  <p class="chip">{{image['status_text']}}</p>
  <div class="legend">
    <p class="{{'caption' if image['caption'] else 'caption name'}}" lang="{{image['caption_language'] or ''}}">{{image['caption'] or image['name']}}</p>
    <p class="source" {{'' if image['source_label'] else 'hidden'}}>{{image['source_label']}}</p>
    <p class="why" {{'' if image['message'] else 'hidden'}}>{{image['message']}}</p>
    <div class="actions">
      <div class="retry" {{'' if image['retryable'] and not image['read_only'] else 'hidden'}}>
        <button class="button small" type="submit" form="act" formaction="/images/{{image['id']}}/retry">Try again<span class="sr"> with {{image['name']}}</span></button>
      </div>
      <div class="remove" {{'' if image['status'] in ('rejected', 'failed', 'awaiting') and not image['read_only'] else 'hidden'}}>
        <button class="button small quiet" type="submit" form="act" formaction="/images/{{image['id']}}/delete">Remove<span class="sr"> {{image['name']}}</span></button>
      </div>
    </div>
  </div>
</li>
