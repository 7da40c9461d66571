<dialog class="lightbox" id="lightbox" aria-label="Photo">
  <figure>
    <div class="stage">
      <img class="blur" alt="" hidden src="{{blank_pixel}}">
      <img class="large" alt="" decoding="async" src="{{blank_pixel}}">
    </div>
    <figcaption>
      <p class="caption"></p>
      <p class="source"></p>
    </figcaption>
  </figure>
  <p class="tools">
    <a class="details" href="/">Details</a>
    <button class="close" type="button" autofocus aria-label="Close" title="Close (Esc)">✕</button>
  </p>
  <button class="previous" type="button" aria-label="Previous photo" title="Previous (←)">‹</button>
  <button class="next" type="button" aria-label="Next photo" title="Next (→)">›</button>
</dialog>
