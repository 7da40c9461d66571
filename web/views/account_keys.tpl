<section aria-labelledby="keys_title">
<h2 id="keys_title">Keys for programs</h2>
<p class="hint">A program sends its key with each request to the <a href="/api/v1/openapi.yaml">API</a>, as <code>Authorization: Bearer …</code></p>
% if keys:
%   include('key_rows.tpl', owner_path='/account')
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
    <label for="days">Valid for</label>
    <select id="days" name="days">
% for days in key_days_choices:
      <option value="{{days}}" {{'selected' if days == key_days else ''}}>{{days}} days</option>
% end
    </select>
% include('own_password.tpl', field='keys_password')
    <button class="button primary" type="submit">Create the key</button>
  </form>
</details>
</section>
