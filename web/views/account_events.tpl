<section aria-labelledby="events_title">
<h2 id="events_title">Recent security events</h2>
% if events:
<p class="hint">If you do not recognise one of these, change your password.</p>
%   include('event_rows.tpl', entries=events)
% else:
<p class="hint">No events in the last 90 days.</p>
% end
</section>
