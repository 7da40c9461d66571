% rebase('layout.tpl', title=f"{image['caption'] or image['name']} – Caption Gallery", module='photo', sheet='photo')
% def present(name):
%   if form[name]['other'] is not None:
      <p class="hint" id="{{name}}_now">Now: <span dir="auto">{{form[name]['other'] or '(empty)'}}</span></p>
%   end
% end
<article class="photo" id="photo" data-id="{{image['id']}}" data-status="{{image['status']}}" data-settled="{{'yes' if image['settled'] or trouble else 'no'}}">
<p class="back"><a href="/">← All photos</a></p>
% sides = sorted((image['width'] or 1, image['height'] or 1))
% long = 'tall' if sides[1] > 3 * sides[0] and sides[1] == image['height'] else 'wide' if sides[1] > 3 * sides[0] else ''
<figure class="picture {{long}}"
% if long:
  tabindex="0" aria-label="Photo, scrollable"
% end
>
% if image['display_url']:
%   if image['placeholder']:
  <img class="blur" alt="" src="{{image['placeholder']}}">
%   end
  <img class="large" alt="{{image['alt']}}" lang="{{image['alt_language'] or ''}}" src="{{image['display_url']}}" width="{{image['width'] or shared.display_side}}" height="{{image['height'] or 1200}}">
% else:
  <p class="absent" role="img" aria-label="{{image['alt']}}" lang="{{image['alt_language'] or ''}}">{{'No preview' if image['settled'] else 'The preview is not ready yet'}}</p>
% end
</figure>
<div class="words">
% if image['status'] != 'done':
  <p class="chip" role="status">{{image['status_text']}}</p>
% end
% if trouble:
  <p class="trouble" role="alert">{{trouble}}</p>
% elif get('done'):
  <p class="done" role="status">{{done}}</p>
% end
  <h1 dir="auto" lang="{{image['caption_language'] or ''}}">{{image['caption'] or image['name']}}</h1>
% if not image['settled']:
  <noscript><p class="hint">This page shows changes when it is reloaded. <a href="/images/{{image['id']}}">Reload</a></p></noscript>
% end
% if image['message']:
  <p class="why">{{image['message']}}</p>
% end
% if image['retryable'] and mine:
  <form method="post" action="/images/{{image['id']}}/retry">
    <input type="hidden" name="token" value="{{token}}">
    <button class="button primary" type="submit">Try again</button>
  </form>
% end
% if image['source_text']:
  <p class="source">{{image['source_text']}}</p>
% end
% if image['tags']:
  <ul class="tags" aria-label="Tags">
%   for tag in image['tags']:
    <li dir="auto" lang="{{image['tags_language'] or ''}}"><a href="{{search_path(tag)}}">{{tag}}</a></li>
%   end
  </ul>
% end
  <dl class="said">
% if image['alt_text']:
    <div><dt>Alt text</dt><dd dir="auto" lang="{{image['alt_language'] or ''}}">{{image['alt_text']}}</dd></div>
%   if image['alt_text_may_not_fit']:
    <div><dt>Check the alt text</dt><dd>A person changed the caption; the alt text is still that of {{provenance['alt_text']}}.</dd></div>
%   end
% end
% if image['visible_text']:
    <div><dt>Text in the photo</dt><dd dir="auto">{{image['visible_text']}}</dd></div>
% end
% if image['safety'] and image['safety'] != 'ok':
    <div><dt>Rated by the model as</dt><dd>{{image['safety']}}</dd></div>
% end
% if written_by:
    <div><dt>Written by</dt><dd>{{written_by}}</dd></div>
% end
  </dl>
% if image['status'] == 'deleted':
  <form method="post" action="/images/{{image['id']}}/restore">
    <input type="hidden" name="token" value="{{token}}">
    <p>It is deleted for good after {{shared.trash_days}} days in the trash.</p>
    <button class="button primary" type="submit">Restore</button>
  </form>
% else:
%   if mine:
  <details class="edit"{{' open' if trouble else ''}}>
    <summary>Edit caption, alt text and tags</summary>
    <form method="post" action="/images/{{image['id']}}/edit">
      <input type="hidden" name="token" value="{{token}}">
%     for name, field in form.items():
      <input type="hidden" name="shown_{{name}}" value="{{field['now']}}">
%     end
      <label for="caption">Caption</label>
      <textarea id="caption" name="caption" dir="auto" rows="3" maxlength="{{shared.caption_length}}" {{'aria-describedby=caption_now' if form['caption']['other'] is not None else ''}}>{{form['caption']['text']}}</textarea>
%     present('caption')
      <label for="alt_text">Alt text</label>
      <textarea id="alt_text" name="alt_text" dir="auto" rows="3" maxlength="{{shared.alt_text_length}}" aria-describedby="alt_hint{{' alt_text_now' if form['alt_text']['other'] is not None else ''}}">{{form['alt_text']['text']}}</textarea>
%     present('alt_text')
      <p class="hint" id="alt_hint">What somebody who cannot see the photo needs to know.</p>
      <label for="tags">Tags</label>
      <input id="tags" name="tags" dir="auto" maxlength="{{shared.tags_length}}" value="{{form['tags']['text']}}" aria-describedby="tags_hint{{' tags_now' if form['tags']['other'] is not None else ''}}">
%     present('tags')
      <p class="hint" id="tags_hint">Separated by commas. Your text is never overwritten automatically.</p>
      <button class="button primary" type="submit">Save</button>
    </form>
  </details>
  <div class="actions">
    <form method="post" action="/images/{{image['id']}}/recaption">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button small" type="submit">Describe again</button>
    </form>
%     if last_change:
    <form method="post" action="/images/{{image['id']}}/undo">
      <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="change" value="{{last_change or ''}}">
      <button class="button small" type="submit">Undo the last change</button>
    </form>
%     end
%     if 'Edited by a person' in provenance.values():
    <form method="post" action="/images/{{image['id']}}/machine-words">
      <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="change" value="{{last_change or ''}}">
      <button class="button small" type="submit">Back to the machine’s text</button>
    </form>
%     end
    <a class="button small" href="/images/{{image['id']}}/history">History</a>
  </div>
%   end
  <dl class="facts">
% for term, words_, machine in details:
%   if machine:
    <div><dt>{{term}}</dt><dd><time datetime="{{machine}}">{{words_}}</time></dd></div>
%   else:
    <div><dt>{{term}}</dt><dd dir="auto">{{words_}}</dd></div>
%   end
% end
  </dl>
  <p class="actions"><a class="button small" href="/?similar={{image['id']}}">Similar photos</a></p>
% if mine:
  <div class="actions">
% if image['original_url']:
    <a class="button" href="/images/{{image['id']}}/original">Download the original</a>
% end
    <form method="post" action="/images/{{image['id']}}/delete">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button quiet" type="submit">Move to the trash</button>
    </form>
  </div>
% end
% end
</div>
</article>
<p class="sr" id="live" role="status"></p>
