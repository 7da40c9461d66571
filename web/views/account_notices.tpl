<section aria-labelledby="notices_title" id="notices">
<h2 id="notices_title">Notices</h2>
<p class="hint">When all that was uploaded together has ended, a notice says how much is done, what failed and why.</p>
% if mail['possible']:
%   if mail['address']:
<p><strong>{{mail['address']}}</strong><br>
<span class="hint" data-delivery="{{mail['delivery']}}">{{mail['said']}}</span></p>
<p class="hint">Whether a mail to a confirmed address has come back, the mail service does not say: if one that is listed below never reached you, give the address again or another.</p>
<form method="post" action="/account/notices/stop">
  <input type="hidden" name="token" value="{{token}}">
  <button class="button" type="submit">Stop sending notices</button>
</form>
%   else:
<p class="hint" data-delivery="{{mail['delivery']}}">{{mail['said']}}</p>
%   end
%   if get('trouble') and trouble_at == 'notices':
<p class="trouble" role="alert">{{trouble}}</p>
%   end
<form method="post" action="/account/notices">
  <input type="hidden" name="token" value="{{token}}">
  <label for="address">{{'Another e-mail address, or the same once more' if mail['address'] else 'Your e-mail address'}}</label>
  <input id="address" name="address" type="email" maxlength="{{mail['address_length']}}" autocomplete="email" required value="{{get('given', '')}}">
  <button class="button primary" type="submit">Send notices there</button>
</form>
% end
% if mail['letters']:
<h3>The newest</h3>
%   for letter in mail['letters']:
<details class="letter">
  <summary>{{letter['subject']}} <span class="hint"><time datetime="{{letter['sent_machine']}}">{{letter['sent']}}</time> UTC</span></summary>
  <pre>{{letter['body']}}</pre>
</details>
%   end
% else:
<p class="hint">There has been none yet.</p>
% end
</section>
