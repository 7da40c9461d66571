% rebase('layout.tpl', title='Jobs – Caption Gallery', sheets=('collections',))
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
% for title, counts in counts:
    <tr><th scope="row">{{title}}</th>\\
%   for name in ('waiting', 'running', 'later', 'failed', 'done'):
<td>{{f'{counts[name]:,}'}}</td>\\
%   end
</tr>
% end
  </tbody>
</table>
</div>
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
  <li><span><strong>{{row['count']}} {{row['title'].lower()}}</strong>: {{row['message'] or row['reason']}}<br>
  <span class="hint">{{row['reason']}} · next <time datetime="{{row['at_machine']}}">{{row['at']}}</time> UTC</span></span></li>
%   end
</ul>
% else:
<p>No task waits for another try.</p>
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
