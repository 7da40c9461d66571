% rebase('layout.tpl', title='Webhooks – Caption Gallery', sheet='collections')
<section class="page">
<h1>Webhooks</h1>
<p>A webhook tells another program by a signed request when a photo was described or failed, or when all photos that were uploaded together are finished.</p>
% if made:
<div class="done" role="status">
  <h2>The secret of the webhook</h2>
  <p><label for="secret">Copy it now: it is not shown again. The program checks the signature with it.</label></p>
  <input id="secret" readonly value="{{made.secrets[0]}}">
</div>
% end
% if trouble and not fields:
<p class="trouble" role="alert">{{trouble}}</p>
% end
% for webhook in webhooks:
<section aria-labelledby="w-{{webhook['id']}}">
  <h2 id="w-{{webhook['id']}}">{{webhook['url']}}</h2>
  <p class="hint">{{', '.join(webhook['events'])}}</p>
  <div class="buttons">
    <form method="post" action="/webhooks/{{webhook['id']}}/secret">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button small" type="submit">New secret<span class="sr"> for {{webhook['url']}}</span></button>
    </form>
    <form method="post" action="/webhooks/{{webhook['id']}}/delete">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button small" type="submit">Delete<span class="sr"> {{webhook['url']}}</span></button>
    </form>
  </div>
%   if webhook['deliveries']:
  <h3>Last deliveries</h3>
  <ul class="plain" role="list">
%     for each in webhook['deliveries']:
    <li><span><time datetime="{{each['created_at']}}">{{each['created']}}</time> UTC · {{each['event']}} · {{each['status']}}, {{each['attempts']}} {{'attempt' if each['attempts'] == 1 else 'attempts'}}{{' · ' + each['error'] if each['error'] else ''}}</span></li>
%     end
  </ul>
%   end
</section>
% end
<h2>Add a webhook</h2>
% if trouble and fields:
<p class="trouble" role="alert">{{trouble}}</p>
% end
<form method="post" action="/webhooks">
  <input type="hidden" name="token" value="{{token}}">
  <label for="url">Address</label>
  <input id="url" name="url" type="url" maxlength="{{longest}}" value="{{fields.get('url', '')}}" placeholder="https://example.org/photos" required autocomplete="off">
  <fieldset>
    <legend>Events</legend>
%   for event in events:
    <label class="choice"><input type="checkbox" name="{{event}}" value="yes"{{' checked' if not fields or event in fields else ''}}> <span>{{event}}</span></label>
%   end
  </fieldset>
  <button class="button primary" type="submit">Add</button>
</form>
</section>
