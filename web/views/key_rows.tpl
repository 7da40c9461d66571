<ul class="rows" role="list">
% for key in keys:
  <li>
    <p><strong>{{key['label']}}</strong> <code>{{key['hint']}}…</code><br>
    <span class="hint">{{key['scopes']}};
%   if key['used']:
    last used <time datetime="{{key['used_machine']}}">{{key['used']}}</time> UTC{{' from ' + key['used_address'] if key['used_address'] else ''}};
%   else:
    never used;
%   end
    {{'expired' if key['expired'] else 'expires'}} <time datetime="{{key['expires_machine']}}">{{key['expires']}}</time> UTC</span></p>
    <form method="post" action="{{owner_path}}/keys/{{key['id']}}/remove">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button small" type="submit">{{'Remove' if key['expired'] else 'Revoke'}}<span class="sr"> the key {{key['label']}}</span></button>
    </form>
  </li>
% end
</ul>
