% rebase('layout.tpl', title='Activity – Caption Gallery', sheet='collections')
<section class="page">
<h1>Activity</h1>
% if done:
<p class="done" role="status">{{done}}</p>
% end
<h2>Uploading</h2>
% if batches:
<ul class="plain" role="list">
%   for at, batch in enumerate(batches):
%     left = batch.total - batch.described - batch.failed
  <li><span><strong>{{'Newest upload' if at == 0 else 'Earlier upload'}}</strong>: described {{f'{batch.described:,}'}} of {{f'{batch.total:,}'}}{{f', {batch.failed:,} failed' if batch.failed else ''}}{{f', {left:,} to come' if left else ''}}.</span></li>
%   end
</ul>
% else:
<p>No photos have been uploaded together. <a href="/#add">Add photos</a></p>
% end
<h2>Needs attention</h2>
% if failures:
<ul class="plain" role="list">
%   for row in failures:
  <li>
    <span><strong>{{row['count']}} {{row['title'].lower()}}</strong>: {{row['message'] or row['reason']}}<br>
    <span class="hint">last <time datetime="{{row['at_machine']}}">{{row['at']}}</time> UTC</span></span>
    <form method="post" action="/activity/retry">
      <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="kind" value="{{row['kind']}}"><input type="hidden" name="reason" value="{{row['reason']}}">
      <button class="button small" type="submit">Try again<span class="sr">: {{row['title'].lower()}} that failed with {{row['reason']}}</span></button>
    </form>
  </li>
%   end
</ul>
<p class="hint">Up to 500 are tried again at once.</p>
% else:
<p>There is nothing to try again.</p>
% end
<p><a href="/?status=failed">Photos that failed and files that were not accepted</a></p>
<h2>Service</h2>
% if breakers:
<ul class="plain" role="list">
%   for breaker in breakers:
  <li><span><strong>{{breaker['name']}}</strong>: {{breaker['text']}}</span></li>
%   end
</ul>
% else:
<p>All services answer.</p>
% end
% if today:
<p>{{today}}</p>
% end
</section>
