% rebase('layout.tpl', title=(f'{words} – Caption Gallery' if words else 'Caption Gallery'), module='gallery', preload=scripts, sheets=('gallery', 'lightbox'), refresh=(5 if any(not card.settled for card in cards) else None))
% endings = list(limits.media_types.values())
<div id="gallery" data-max-bytes="{{limits.max_bytes}}" data-media-types="{{' '.join(limits.media_types)}}" data-type-names="{{type_names(endings)}}" data-next="{{following or ''}}" data-static="{{static}}">
% if deleted:
<form class="undo" method="post" action="/images/{{deleted}}/restore">
  <p>The photo is in the trash. It is deleted for good after {{shared.trash_days}} days.</p>
  <input type="hidden" name="token" value="{{token}}">
  <button class="button small" type="submit">Undo</button>
</form>
% end
<div class="heading" id="heading" {{'' if words else 'hidden'}}>
  <h1>{{f'Photos with “{words}”' if words else 'Photos'}}</h1>
  <a class="button small" id="clear" href="/">Show all</a>
</div>
<h1 class="sr" id="title" {{'hidden' if words else ''}}>Photos</h1>
<form id="act" method="post" hidden><input type="hidden" name="token" value="{{token}}"></form>
<ul class="grid" id="grid" role="list">
% for card in cards:
{{!card.html}}\\
% end
</ul>
<p class="more" id="more" {{'' if following else 'hidden'}}><a class="button" href="{{f'/?cursor={quoted(following)}' + (f'&q={quoted(words)}' if words else '') if following else '/'}}">More photos</a></p>
<section class="nothing" id="nothing" {{'' if words and not cards and first else 'hidden'}}>
  <h2>No results for “<span id="sought">{{words}}</span>”</h2>
  <p>The search covers captions, tags, file names, text in photos, dates, cameras and owners. Try fewer or other words.</p>
</section>
<section class="empty" id="empty" aria-labelledby="invite" {{'' if not words and not cards and first else 'hidden'}}>
% if samples:
  <div class="prints" aria-hidden="true">
%   for sample in samples[:3]:
    <span class="snap"><img src="{{static}}/samples/{{sample.file}}" alt=""></span>
%   end
  </div>
% end
  <h2 id="invite"><span class="mouse">Drop photos anywhere on this page</span><span class="touch">Start with a few photos</span></h2>
  <p class="lead">Each photo gets a caption, an alt text and tags automatically.</p>
  <p class="buttons">
    <a class="button primary large" id="choose" href="/upload">Choose photos</a>
% if samples:
    <button class="button large js" id="samples" type="button" data-files="{{' '.join(sample.file for sample in samples)}}" hidden>Try sample photos</button>
% end
  </p>
  <p class="fine">{{type_names(endings)}}, up to {{file_size(limits.max_bytes)}}, {{max_megapixels}} megapixels and {{max_side}} pixels a side each.<span class="mouse"> You can also paste one.</span></p>
% if samples:
  <p class="fine">Samples: {{'; '.join(f'{sample.title} by {sample.credit} ({sample.licence})' for sample in samples)}}.</p>
% end
</section>
<noscript><p class="plain">Without JavaScript, <a href="/upload">photos are uploaded one at a time</a>, and this page shows changes when it is reloaded.</p></noscript>
<input id="files" type="file" multiple hidden tabindex="-1" aria-hidden="true" accept="{{','.join([*limits.media_types, *(f'.{ending}' for ending in endings)])}}">
</div>
<template id="card" data-sizes="(max-width: 40rem) 46vw, 15rem">
% include('card.tpl', image=blank)
</template>
<template id="upload">
  <div class="upload">
    <progress max="100" value="0"></progress>
    <p class="note"></p>
    <button class="button small cancel" type="button">Cancel<span class="sr"></span></button>
    <button class="button small again" type="button" hidden>Try again<span class="sr"></span></button>
  </div>
</template>
<div class="tray" id="tray" hidden><p></p><progress max="1" value="0" aria-label="All uploads"></progress><button class="button small" type="button">Cancel all</button></div>
<div class="toast" id="toast" role="status"></div>
<p class="sr" id="live" role="status"></p>
<div class="drop" id="drop" hidden><p>Let go to add them</p></div>
% include('lightbox.tpl')
