% rebase('layout.tpl', title='Account – Caption Gallery', sheets=('photo', 'people'))
% trouble_at = get('at')
<section class="sheet account">
% if caller.open:
<h1>No accounts</h1>
<p>This gallery is in open mode: it answers on this computer only, and asks nobody who they are. With the setting <code>ACCOUNTS=on</code> everybody signs in and has photographs of their own.</p>
%   if get('mail'):
%     include('account_notices.tpl')
%   end
% else:
<h1>{{account.name}}</h1>
<p>{{'Administrator: you see every photograph, and make the accounts of others.' if account.role == 'administrator' else 'You see your own photographs, and whatever others share.'}}</p>
% if get('done'):
<p class="done" role="status">{{done}}</p>
% end
% if get('secret'):
<div class="done" role="status">
  <h2>Your new key</h2>
  <p><code class="secret">{{secret}}</code></p>
  <p>Copy it now: it is not kept, and not shown again.</p>
</div>
% end
%   include('account_password.tpl')
%   include('account_sessions.tpl')
%   if get('mail'):
%     include('account_notices.tpl')
%   end
%   include('account_keys.tpl')
%   include('account_delete.tpl')
% end
</section>
