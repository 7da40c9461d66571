<section aria-labelledby="notices_title" id="notices">
<h2 id="notices_title">Notifications</h2>
<p class="hint">When all photos of one upload are finished, a notification says how many are done, which failed and why.</p>
% if mail['possible']:
%   if mail['address']:
<p><strong>{{mail['address']}}</strong><br>
<span class="hint" data-delivery="{{mail['delivery']}}">{{mail['said']}}</span></p>
<p class="hint">The mail service does not report bounces: if a notification that is listed below did not reach you, enter this or another address again.</p>
<form method="post" action="/account/notices/stop">
  <input type="hidden" name="token" value="{{token}}">
  <button class="button" type="submit">Stop sending notifications</button>
</form>
%   else:
<p class="hint" data-delivery="{{mail['delivery']}}">{{mail['said']}}</p>
%   end
%   if get('trouble') and trouble_at == 'notices':
<p class="trouble" role="alert">{{trouble}}</p>
%   end
<form method="post" action="/account/notices">
  <input type="hidden" name="token" value="{{token}}">
  <label for="address">{{'Another e-mail address, or the same again' if mail['address'] else 'Your e-mail address'}}</label>
  <input id="address" name="address" type="email" maxlength="{{mail['address_length']}}" autocomplete="email" required value="{{get('given', '')}}">
  <button class="button primary" type="submit">Send notifications there</button>
</form>
% end
% if mail['notifications']:
<h3>Newest notifications</h3>
%   for notification in mail['notifications']:
<details class="notification">
  <summary>{{notification['subject']}} <span class="hint"><time datetime="{{notification['sent_machine']}}">{{notification['sent']}}</time> UTC</span></summary>
  <pre>{{notification['body']}}</pre>
</details>
%   end
% else:
<p class="hint">No notifications yet.</p>
% end
</section>
