% rebase('layout.tpl', title='Jobs – Caption Gallery', sheet='collections')
<section class="page">
<h1>Jobs</h1>
% if done:
<p class="done" role="status">{{done}}</p>
% end
<p class="hint">{{f'The last sweep ended on {swept} UTC; one runs each minute.' if swept else 'No sweep has ended yet.'}}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Tasks by state">
<table>
  <thead><tr><th scope="col">Task</th><th scope="col">Waiting</th><th scope="col">Running</th><th scope="col">Later</th><th scope="col">Failed</th><th scope="col">Done</th></tr></thead>
  <tbody>
% for title, kind, paused, numbers in counts:
    <tr><th scope="row">{{title}}{{' (paused)' if paused else ''}}</th>\\
%   for name in ('waiting', 'running', 'later', 'failed', 'done'):
<td>{{f'{numbers[name]:,}'}}</td>\\
%   end
</tr>
% end
  </tbody>
</table>
</div>
<div class="actions">
% for title, kind, paused, _ in counts:
%   if not paused:
  <form method="post" action="/admin/jobs/pause">
    <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="kind" value="{{kind}}">
    <button class="button small" type="submit">Pause {{title.lower()}}</button>
  </form>
%   end
% end
</div>
% if pauses:
<h2>Paused</h2>
<ul class="plain" role="list">
%   for pause in pauses:
  <li>
    <span><strong>{{pause['text']}}</strong><br>
    <span class="hint">since {{pause['at']}} UTC{{f" by {pause['account']}" if pause['account'] else ''}}</span></span>
    <form method="post" action="/admin/jobs/resume">
      <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="kind" value="{{pause['kind']}}"><input type="hidden" name="reason" value="{{pause['reason']}}">
      <button class="button small" type="submit">Resume<span class="sr">: {{pause['text'].lower()}}</span></button>
    </form>
  </li>
%   end
</ul>
<p class="hint">No worker begins with what is paused, and no attempt is counted. Afterwards, each sweep queues up to 500 tasks that have waited.</p>
% end
<h2>Failed, by reason</h2>
% if failures:
<ul class="plain" role="list">
%   for row in failures:
  <li>
    <span><strong>{{row['count']}} {{row['title'].lower()}}</strong>: {{row['message'] or row['reason']}}<br>
    <span class="hint">{{row['reason']}} · last <time datetime="{{row['at_machine']}}">{{row['at']}}</time> UTC</span></span>
    <form method="post" action="/admin/jobs/retry">
      <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="kind" value="{{row['kind']}}"><input type="hidden" name="reason" value="{{row['reason']}}">
      <button class="button small" type="submit">Try again<span class="sr">: {{row['title'].lower()}} that failed with {{row['reason']}}</span></button>
    </form>
  </li>
%   end
</ul>
<p class="hint">Up to 500 tasks are tried again at once.</p>
% else:
<p>Nothing has failed.</p>
% end
<h2>Later</h2>
% if retries:
<ul class="plain" role="list">
%   for row in retries:
  <li>
    <span><strong>{{row['count']}} {{row['title'].lower()}}</strong>: {{row['message'] or row['reason']}}<br>
    <span class="hint">{{row['reason']}} · next <time datetime="{{row['at_machine']}}">{{row['at']}}</time> UTC</span></span>
%     if row['reason']:
    <form method="post" action="/admin/jobs/pause">
      <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="kind" value="{{row['kind']}}"><input type="hidden" name="reason" value="{{row['reason']}}">
      <button class="button small" type="submit">Pause<span class="sr">: {{row['title'].lower()}} that wait after {{row['reason']}}</span></button>
    </form>
%     end
  </li>
%   end
</ul>
% else:
<p>No task waits for another try.</p>
% end
<h2>Dead letters</h2>
% if dead_letters is None:
<p>The dead-letter queues cannot be read just now.</p>
% elif dead_letters:
<ul class="plain" role="list">
%   for row in dead_letters:
  <li><span><strong>About {{row['count']}} messages of {{row['title'].lower()}}</strong>: {{row['cause']}}.</span></li>
%   end
</ul>
<p class="hint">A dead letter means a bug or an outage. After the fix, <code>playbooks/redrive.yml</code> moves them back to their queues; the gallery itself may not read them.</p>
% else:
<p>There are none.</p>
% end
<h2>Circuit breakers</h2>
% if breakers:
<ul class="plain" role="list">
%   for breaker in breakers:
  <li><span><strong>{{breaker['name']}}</strong>: {{breaker['text']}}</span></li>
%   end
</ul>
% else:
<p>None has been open yet.</p>
% end
</section>
