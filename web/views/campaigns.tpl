% rebase('layout.tpl', title='Describe again – Caption Gallery', sheet='accounts')
<section class="sheet account">
<h1>Describe again</h1>
<p>New descriptions replace those of models. What people wrote stays, in every field.</p>
% if trouble:
<p class="trouble" role="alert">{{trouble}}</p>
% end
% if preview:
<div class="done" role="status">
  <p>{{preview['text']}}</p>
%   if preview['sample']:
  <ul>
%     for one in preview['sample']:
    <li><a href="/images/{{one.public_id}}"><bdi>{{one.name}}</bdi></a>: <bdi>{{one.caption or 'no caption'}}</bdi></li>
%     end
  </ul>
%   end
</div>
% end
<form method="post" action="/campaigns">
  <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="shown" value="{{shown}}">
  <label for="c_query">Photos that contain these words</label>
  <input id="c_query" name="query" maxlength="{{shared.search_length}}" value="{{fields.get('query', '')}}">
  <label for="c_tag">With this tag</label>
  <input id="c_tag" name="tag" value="{{fields.get('tag', '')}}">
  <label for="c_source">Described by</label>
  <select id="c_source" name="source">
    <option value="">anybody</option>
% for source in sources:
    <option value="{{source}}"{{' selected' if fields.get('source') == source else ''}}>{{source}}</option>
% end
  </select>
  <label for="c_model">By this model</label>
  <input id="c_model" name="model" value="{{fields.get('model', '')}}" autocapitalize="none" spellcheck="false">
  <label for="c_before">Described before this day (UTC)</label>
  <input id="c_before" name="before" type="date" value="{{fields.get('before', '')}}">
  <label class="choice"><input type="checkbox" name="failed" value="yes"{{' checked' if 'failed' in fields else ''}}> <span>Only those whose description failed</span></label>
  <label class="choice"><input type="checkbox" name="missing" value="yes"{{' checked' if 'missing' in fields else ''}}> <span>Only those without a caption</span></label>
  <label for="c_rate">Photos a minute</label>
  <input id="c_rate" name="rate" inputmode="numeric" value="{{fields.get('rate', rate)}}">
  <div class="actions">
    <button class="button" type="submit">Show how many, and the price</button>
% if preview and preview['images']:
    <button class="button primary" type="submit" name="start" value="yes">Describe again</button>
% end
  </div>
</form>
% if campaigns:
<section aria-labelledby="campaigns_title">
<h2 id="campaigns_title">Campaigns</h2>
<ul class="rows" role="list">
%   for campaign in campaigns:
  <li>
    <p><strong>{{campaign['status']}}</strong>: {{campaign['text']}}<br>
    <span class="hint">{{campaign['counts']}} · {{campaign['selection']}} · <time datetime="{{campaign['created_machine']}}">{{campaign['created']}}</time> UTC</span></p>
%     if campaign['changes']:
    <div class="actions">
%       for change in campaign['changes']:
      <form method="post" action="/campaigns/{{campaign['id']}}/{{change}}">
        <input type="hidden" name="token" value="{{token}}">
        <button class="button small" type="submit">{{change.capitalize()}}<span class="sr"> the campaign of {{campaign['created']}}</span></button>
      </form>
%       end
    </div>
%     end
  </li>
%   end
</ul>
</section>
% end
</section>
