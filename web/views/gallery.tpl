% rebase('layout.tpl', title=(f'{words} – Caption Gallery' if words else 'Caption Gallery'), module='gallery', later=bool(pictures), sheet='gallery')
% endings = list(limits.media_types.values())
<div id="gallery" data-max-bytes="{{limits.max_bytes}}" data-media-types="{{' '.join(limits.media_types)}}" data-type-names="{{type_names(endings)}}" data-static="{{static}}" class="{{'sought' if words or chosen else ''}} {{'' if cards else 'bare'}}">
% if deleted:
<form class="undo" method="post" action="/images/{{deleted}}/restore">
  <p>The photo is in the trash. It is deleted for good after {{shared.trash_days}} days.</p>
  <input type="hidden" name="token" value="{{token}}">
  <button class="button small" type="submit">Undo</button>
</form>
% end
<div class="heading" id="heading">
  <h1 id="title">{{f'Photos with “{words}”' if words else 'Photos'}}</h1>
  <p class="number" id="count"></p>
  <p class="plain" id="clear"><a href="/">Show all</a></p>
</div>
<div class="controls" id="controls">
  <details class="filters" {{'open' if refusal else ''}}>
    <summary>Filters</summary>
    <form id="filters" action="/" method="get">
% def field(label, name, kind='text', example=''):
      <label>{{label}} <input name="{{name}}" type="{{kind}}" value="{{chosen.get(name, '')}}" placeholder="{{example}}" autocomplete="off"></label>
% end
% def choice(label, name, options):
      <label>{{label}} <select name="{{name}}" autocomplete="off">
%   for value, text in options:
        <option value="{{value}}" {{'selected' if chosen.get(name, '') == value else ''}}>{{text}}</option>
%   end
      </select></label>
% end
% field('Month', 'month', 'month', '2026-11')
% field('Tag', 'tag')
% field('Camera', 'camera')
% if owners:
%   field('Owner', 'owner')
% end
% for name in ('album', 'similar'):
%   if chosen.get(name):
      <input type="hidden" name="{{name}}" value="{{chosen[name]}}">
%   end
% end
% choice('State', 'status', (('', 'Any'), ('waiting', 'Waiting or being described'), ('failed', 'Failed or not accepted'), ('undescribed', 'Not described')))
% choice('Described by', 'source', (('', 'Anybody'), ('human', 'A person'), ('gemini', 'Gemini'), ('embedded', 'Its own metadata'), ('local', 'The local describer')))
% choice('Type', 'type', [('', 'Any'), *(('jpeg' if ending == 'jpg' else ending, type_names([ending])) for ending in endings if ending != 'heif')])
% choice('Shape', 'orientation', (('', 'Any'), ('landscape', 'Landscape'), ('portrait', 'Portrait'), ('square', 'Square')))
% field('Taken from', 'taken_from', 'date')
% field('Taken until', 'taken_to', 'date')
% field('Uploaded from', 'uploaded_from', 'date')
% field('Uploaded until', 'uploaded_to', 'date')
      <label class="js">Order <select name="sort"><option value="">By the date taken</option><option value="uploaded">By the date of upload</option></select></label>
      <noscript><input type="hidden" name="q" value="{{words}}"><button class="button" type="submit">Show</button></noscript>
    </form>
  </details>
  <div class="chips" id="chips" hidden></div>
  <label class="density js">Size <select id="density"><option value="captions">Captions</option><option value="compact">Compact</option><option value="comfortable">Comfortable</option><option value="large">Large</option></select></label>
</div>
<div class="failure" id="failure" role="alert" hidden></div>
<form id="act" method="post" hidden><input type="hidden" name="token" value="{{token}}"></form>
<photo-timeline id="grid" data-density="captions">
% if pictures:
<ul class="first js" role="list">
% for at, picture in enumerate(pictures):
<li data-id="{{picture['id']}}"><a href="/photo/{{picture['id']}}"><img alt="{{picture['alt']}}" lang="{{picture['alt_language']}}" src="{{picture['url']}}" width="{{picture['width']}}" height="{{picture['height']}}" {{'fetchpriority=high' if at == 0 else '' if at < 3 else 'loading=lazy'}}></a><p dir="auto" lang="{{picture['caption_language']}}">{{picture['caption']}}</p></li>
% end
</ul>
% end
<noscript>
% if refusal:
<p class="failure" role="alert">{{refusal}} <a href="/">Show all photos</a></p>
% end
<ul class="grid" role="list">
% for card in cards:
{{!card.html}}\\
% end
</ul>
% if following:
% query = '&'.join(f'{name}={quoted(value)}' for name, value in dict({'cursor': following}, **({'q': words} if words else {}), **chosen).items())
<p class="more" id="more"><a class="button" href="/?{{query}}">More photos</a></p>
% end
<p class="plain">Without JavaScript, <a href="/upload">photos are uploaded one at a time</a>, and this page shows changes when it is reloaded.</p>
</noscript></photo-timeline>
<month-scrubber id="scrubber" hidden></month-scrubber>
<section class="nothing" id="nothing" {{'' if (words or chosen) and not cards and first else 'hidden'}}>
  <h2>No results for “<span id="sought">{{words or ', '.join({'album': 'Album', 'similar': 'Similar photos'}.get(each[0], each[1]) for each in chosen.items())}}</span>”</h2>
  <p>The search covers captions, tags, file names, text in photos, dates, cameras and owners. Try fewer or other words.</p>
</section>
<section class="empty" id="empty" aria-labelledby="invite" {{'' if not (words or chosen) and not cards and first else 'hidden'}}>
% if samples:
  <div class="prints" aria-hidden="true">
%   for sample in samples[:3]:
    <span class="snap"><img src="{{static}}/samples/{{sample.file}}" alt="" loading="lazy"></span>
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
<input id="files" type="file" multiple hidden tabindex="-1" aria-hidden="true" accept="{{','.join([*limits.media_types, *(f'.{ending}' for ending in endings)])}}">
</div>
<select-bar id="select-bar" hidden></select-bar>
<upload-panel id="uploads"></upload-panel>
<toast-stack id="toast"></toast-stack>
<div class="drop" id="drop" hidden><p>Let go to add them</p></div>
<photo-viewer id="photo-viewer"></photo-viewer>
