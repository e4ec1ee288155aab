function e(i){navigator.userActivation?.hasBeenActive&&navigator.vibrate?.(i)}export{e as a};
