<section aria-labelledby="delete_title">
<h2 id="delete_title">Delete the account</h2>
<p class="hint">Your photos go with it, for good, within some minutes. Nobody can bring them back.</p>
% if trouble and trouble_at == 'delete':
<p class="trouble" role="alert">{{trouble}}</p>
% end
<details {{'open' if trouble_at == 'delete' else ''}}>
  <summary>Delete my account</summary>
  <form method="post" action="/account/delete">
    <input type="hidden" name="token" value="{{token}}">
% include('own_password.tpl', field='delete_password')
    <button class="button danger" type="submit">Delete account and photos</button>
  </form>
</details>
</section>
