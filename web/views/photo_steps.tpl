% if previous or following:
<nav class="actions" aria-label="Photos of this collection">
%   if previous:
  <a class="button" rel="prev" href="{{folder}}/{{previous}}">← Previous photo</a>
%   end
%   if following:
  <a class="button" rel="next" href="{{folder}}/{{following}}">Next photo →</a>
%   end
</nav>
% end
