//! The passwords that anybody tries first. Guessing online is slow and limited, so a short list and a few shapes do what a
//! list of a million would.

/// Words that are tried with and without digits around them. Lower case.
const WORDS: &[&str] = &[
    "abcd",
    "access",
    "account",
    "admin",
    "administrator",
    "alexander",
    "amanda",
    "angel",
    "andrew",
    "anthony",
    "apple",
    "arsenal",
    "ashley",
    "asdf",
    "august",
    "banana",
    "barcelona",
    "baseball",
    "basketball",
    "batman",
    "beautiful",
    "berlin",
    "blink",
    "buster",
    "butterfly",
    "changeme",
    "charlie",
    "cheese",
    "chelsea",
    "chocolate",
    "computer",
    "cookie",
    "corvette",
    "cowboy",
    "dallas",
    "daniel",
    "december",
    "default",
    "diamond",
    "dolphin",
    "dopamine",
    "dopaminehero",
    "dragon",
    "energy",
    "facebook",
    "ferrari",
    "flower",
    "football",
    "freedom",
    "friends",
    "garfield",
    "ginger",
    "google",
    "hallo",
    "hannah",
    "harley",
    "hello",
    "hunter",
    "iloveyou",
    "internet",
    "jackson",
    "january",
    "jasmine",
    "jennifer",
    "jessica",
    "jesus",
    "jordan",
    "joshua",
    "justin",
    "killer",
    "letmein",
    "liverpool",
    "london",
    "login",
    "lovely",
    "loveme",
    "maggie",
    "marina",
    "martin",
    "master",
    "matthew",
    "maverick",
    "mercedes",
    "merlin",
    "michael",
    "michelle",
    "monkey",
    "monster",
    "mustang",
    "myspace",
    "naruto",
    "nicole",
    "november",
    "october",
    "oliver",
    "orange",
    "passwort",
    "passw0rd",
    "password",
    "p@ssw0rd",
    "p@ssword",
    "pepper",
    "pokemon",
    "princess",
    "purple",
    "qazwsx",
    "qwer",
    "qwert",
    "qwerty",
    "qwertz",
    "ranger",
    "realmadrid",
    "richard",
    "robert",
    "samantha",
    "samsung",
    "scooter",
    "secret",
    "september",
    "shadow",
    "silver",
    "slipknot",
    "snoopy",
    "soccer",
    "sparky",
    "starwars",
    "steelers",
    "summer",
    "sunshine",
    "superman",
    "taylor",
    "test",
    "tester",
    "thomas",
    "thunder",
    "tigger",
    "tinkerbell",
    "trustno1",
    "user",
    "welcome",
    "whatever",
    "william",
    "winter",
    "yankees",
    "zaq1zaq1",
    "zxcvbn",
];

/// Rows of keyboards and the alphabet: any run along one of them is common, in both directions.
const ROWS: &[&str] = &[
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Whether anybody would try it early. `mail` is the owner's address.
pub(super) fn is_common(password: &str, mail: &str) -> bool {
    let password = password.to_lowercase();
    let mail = mail.to_lowercase();
    let name = mail.split('@').next().unwrap_or_default();
    let of_owner = password == mail || (!name.is_empty() && trimmed(&password) == trimmed(name));
    let word = trimmed(&password);
    of_owner
        || is_repeated(&password)
        || is_run(&password)
        || word.is_empty()
        || WORDS.contains(&word)
        || WORDS.contains(&password.as_str())
}

/// Without the digits and signs that people put around a word.
fn trimmed(password: &str) -> &str {
    password.trim_matches(|c: char| {
        c.is_ascii_digit() || matches!(c, '!' | '?' | '.' | '_' | '-' | '*' | '#' | '$')
    })
}

/// The same few characters again and again.
fn is_repeated(password: &str) -> bool {
    let chars: Vec<char> = password.chars().collect();
    (1..=4).any(|period| {
        chars.len() >= 2 * period
            && chars.iter().zip(chars.iter().skip(period)).all(|(left, right)| left == right)
    })
}

fn is_run(password: &str) -> bool {
    let backwards: String = password.chars().rev().collect();
    ROWS.iter().any(|row| row.contains(password) || row.contains(&backwards))
}
