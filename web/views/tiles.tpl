<ul class="tiles" role="list">
% for tile in tiles:
  <li class="tile" data-id="{{tile['id']}}">
    <a href="{{folder}}/{{tile['id']}}">
% if tile['url']:
      <img alt="{{tile['alt']}}" lang="{{tile['alt_language'] or ''}}" src="{{tile['url']}}" srcset="{{tile['url']}} {{shared.thumbnail_sides[0]}}w, {{tile['dense_url'] or tile['url']}} {{shared.thumbnail_sides[1]}}w" sizes="(max-width: 40rem) 30vw, 10rem" width="{{shared.thumbnail_sides[0]}}" height="{{shared.thumbnail_sides[0]}}" loading="lazy" decoding="async">
% else:
      <span class="none" dir="auto" lang="{{tile['caption_language'] or ''}}">{{tile['caption']}}</span>
% end
    </a>
% if choosing:
    <label class="pick"><input type="checkbox" name="photo_{{tile['id']}}" value="yes"{{' disabled checked' if tile.get('inside') else ''}}> <span><span class="sr">Choose </span>{{'In the album' if tile.get('inside') else 'Choose'}}<span class="sr">: <bdi lang="{{tile['caption_language'] or ''}}">{{tile['caption']}}</bdi></span></span></label>
% end
  </li>
% end
</ul>
