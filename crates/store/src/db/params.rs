//! A statement's parameters: `()`, a tuple or an array.

use super::value::{ToValue, Value};

/// The parameters `?1`, `?2`, … of a statement, in order.
pub(crate) trait Params {
    /// Hands them to `run` as values.
    fn with<R>(&self, run: impl FnOnce(&[Value]) -> R) -> R;
}

impl Params for () {
    fn with<R>(&self, run: impl FnOnce(&[Value]) -> R) -> R {
        run(&[])
    }
}

impl Params for &[Value<'_>] {
    fn with<R>(&self, run: impl FnOnce(&[Value]) -> R) -> R {
        run(self)
    }
}

impl<T: ToValue, const N: usize> Params for [T; N] {
    fn with<R>(&self, run: impl FnOnce(&[Value]) -> R) -> R {
        run(&self.each_ref().map(ToValue::to_value))
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        tuples!(@ [] $($name)*);
    };
    (@ [$($done:ident)*]) => {};
    (@ [$($done:ident)*] $next:ident $($rest:ident)*) => {
        impl<$($done: ToValue,)* $next: ToValue> Params for ($($done,)* $next,) {
            #[expect(non_snake_case, reason = "types and their values share names here")]
            fn with<R>(&self, run: impl FnOnce(&[Value]) -> R) -> R {
                let ($($done,)* $next,) = self;
                run(&[$($done.to_value(),)* $next.to_value()])
            }
        }
        tuples!(@ [$($done)* $next] $($rest)*);
    };
}

tuples!(A B C D E F G H I J K L M N O P Q S T U V W X Y Z);
