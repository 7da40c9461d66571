% rebase('layout.tpl', title='Security log – Caption Gallery', sheet='accounts')
<section class="sheet account">
<h1>Security log</h1>
<p class="hint">Sign-ins, credentials, roles, deletions and settings of the last 90 days. Times are UTC.</p>
<form method="get" action="/security-log">
  <label for="name">Account name</label>
  <input id="name" name="name" maxlength="64" value="{{name}}" autocomplete="off" autocapitalize="none" spellcheck="false">
  <button class="button" type="submit">Show</button>
</form>
% if entries:
%   include('event_rows.tpl')
% else:
<p>No events.</p>
% end
% if following:
<p><a href="/security-log?before={{following}}{{'&name=' + quoted(name) if name else ''}}">Older events</a></p>
% end
</section>
