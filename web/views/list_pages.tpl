% if following is not None or not first:
<p class="actions">
%   if not first:
  <a class="button" href="{{path}}">First {{items}}</a>
%   end
%   if following is not None:
  <a class="button" href="{{path}}?cursor={{following}}">More {{items}}</a>
%   end
</p>
% end
