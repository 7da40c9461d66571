% rebase('layout.tpl', title='Account – Caption Gallery', sheet='accounts')
% trouble_at = get('at')
<section class="sheet account">
% if caller.open:
<h1>No accounts</h1>
<p>This gallery is in open mode: it can be reached from this computer only, and nobody signs in. With the setting <code>ACCOUNTS=on</code> each person signs in and has their own photos.</p>
%   if get('mail'):
%     include('account_notifications.tpl')
%   end
% else:
<h1>{{account.name}}</h1>
<p>{{'Administrator: you see all photos and manage accounts.' if account.role == 'administrator' else 'You see your own photos, and those that others share.'}}</p>
% if get('done'):
<p class="done" role="status">{{done}}</p>
% end
% if get('secret'):
<div class="done" role="status">
  <h2>Your new API key</h2>
  <p><code class="secret">{{secret}}</code></p>
  <p>Copy it now: it is not shown again.</p>
</div>
% end
%   include('account_password.tpl')
%   include('account_passkeys.tpl')
%   include('account_second_factor.tpl')
%   include('account_sessions.tpl')
%   if get('mail'):
%     include('account_notifications.tpl')
%   end
%   include('account_keys.tpl')
%   if get('spending'):
%     include('account_spending.tpl')
%   end
<section aria-labelledby="quota_title">
<h2 id="quota_title">Quota</h2>
%   include('quota_rows.tpl')
<p class="hint">An administrator can change it.</p>
</section>
%   include('account_events.tpl')
%   include('account_delete.tpl')
% end
</section>
