% if keys:
<label class="choice"><input type="checkbox" name="keep_keys" value="yes"> <span>Keep my API keys ({{', '.join(key['label'] for key in keys)}}). Otherwise they are revoked.</span></label>
% end
