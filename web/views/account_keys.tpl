<section aria-labelledby="keys_title">
<h2 id="keys_title">Keys for programs</h2>
<p class="hint">A program sends its key with each request to the <a href="/api/v1/openapi.yaml">API</a>, as <code>Authorization: Bearer …</code></p>
% if keys:
<ul class="rows" role="list">
%   for key in keys:
  <li>
    <p><strong>{{key['label']}}</strong> <code>{{key['hint']}}…</code><br>
    <span class="hint">{{key['scopes']}};
%     if key['used']:
    last used <time datetime="{{key['used_machine']}}">{{key['used']}}</time> UTC</span></p>
%     else:
    never used</span></p>
%     end
    <form method="post" action="/account/keys/{{key['id']}}/remove">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button small" type="submit">Revoke<span class="sr"> the key {{key['label']}}</span></button>
    </form>
  </li>
%   end
</ul>
% end
% if trouble and trouble_at == 'keys':
<p class="trouble" role="alert">{{trouble}}</p>
% end
<details {{'open' if trouble_at == 'keys' else ''}}>
  <summary>Create an API key</summary>
  <form method="post" action="/account/keys">
    <input type="hidden" name="token" value="{{token}}">
    <label for="label">Purpose</label>
    <input id="label" name="label" maxlength="{{label_length}}" autocomplete="off" required>
    <fieldset>
      <legend>Scopes</legend>
% for scope, words in scopes:
      <label class="choice"><input type="checkbox" name="scope_{{scope}}" value="yes" {{'checked' if scope == 'read' else ''}}> <span><code>{{scope}}</code>: {{words}}</span></label>
% end
    </fieldset>
    <button class="button primary" type="submit">Create the key</button>
  </form>
</details>
</section>
